"""The only floor that imports Streamlit."""
