// A slide of several trainings.
import { replay } from "./training.js";
import { WallPlayer } from "./wallplayer.js";

export function mount(main, bytes, about) { return replay(WallPlayer, main, bytes, about); }
