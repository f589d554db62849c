// A slide of a training: the stage of a network in a file of its own with all its frames; there is nobody to ask for more of them.
import { NetworkPlayer } from "./netplayer.js";
import { dress } from "./playback.js";

const ASKING = ["reset", "seed"]; // what only the app can do

export function mount(main, bytes, about) {
  const player = new NetworkPlayer(main, () => {});
  for (const name of ASKING) player.buttons[name].hidden = true;
  dress(player.box, about);
  player.show(bytes);
  if (player.look.at === null && !player.still) player.play(true);
  return player;
}
