// A slide of a training.
import { NetworkPlayer } from "./netplayer.js";
import { replay } from "./training.js";

export function mount(main, bytes, about) { return replay(NetworkPlayer, main, bytes, about); }
