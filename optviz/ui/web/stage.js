// Streamlit's door to the stage of a race.
import { door } from "./door.js";
import { Player } from "./player.js";

export default door("optviz-stage", Player);
