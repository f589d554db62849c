// A gallery of surfaces, each painted as the stage paints it.
import { fit, paintHeat } from "./plane.js";
import { compiled, themeOf } from "./scene.js";

const WIDTH = 92, HEIGHT = 64;

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector("ul") ?? parentElement.appendChild(document.createElement("ul"));
  const theme = data.themes[themeOf(list)];
  for (const [name, value] of Object.entries(theme)) list.style.setProperty(`--${name}`, value);
  list.setAttribute("aria-label", data.label);
  data.items.forEach((item, i) => {
    const row = list.children[i] ?? list.appendChild(document.createElement("li"));
    const button = row.firstChild ?? row.appendChild(document.createElement("button"));
    if (!button.firstChild) button.append(document.createElement("canvas"), document.createElement("span"));
    const [canvas, name] = button.children, painted = `${item.key} ${theme.page}`;
    name.textContent = item.name;
    button.title = item.lesson;
    button.onclick = () => setTriggerValue("picked", item.key);
    button.setAttribute("aria-pressed", item.key === data.chosen);
    if (canvas.dataset.painted === painted) return;
    canvas.dataset.painted = painted;
    paintHeat(canvas, compiled(item.heat.surface), item.heat, fit(item.heat.box, WIDTH, HEIGHT), theme, WIDTH * 2, HEIGHT * 2, 1);
  });
}
