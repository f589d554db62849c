"""One Scene, many media."""
