// Streamlit's door to the stage of a sheet.
import { door } from "./door.js";
import { SheetPlayer } from "./sheetplayer.js";

export default door("optviz-stage", SheetPlayer);
