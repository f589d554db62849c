// Streamlit's door to the stage of several networks.
import { door } from "./door.js";
import { WallPlayer } from "./wallplayer.js";

export default door("optviz-stage", WallPlayer);
