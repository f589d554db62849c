// A slide of charts: the stage of a sheet in a file of its own.
import { dress } from "./playback.js";
import { SheetPlayer } from "./sheetplayer.js";

export function mount(main, bytes, about) {
  const player = new SheetPlayer(main, () => {});
  dress(player.box, about);
  player.show(bytes);
  if (player.last && !player.still) player.play(true);
  return player;
}
