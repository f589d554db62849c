// Streamlit's door to the stage of a network.
import { door } from "./door.js";
import { NetworkPlayer } from "./netplayer.js";

export default door("optviz-stage", NetworkPlayer);
