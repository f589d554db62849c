// How Streamlit comes to a stage: it calls the door again at every change of data, and one player stays in its place.

export function door(name, Player) {
  const players = new WeakMap();
  return ({ data, parentElement, setTriggerValue }) => {
    let player = players.get(parentElement);
    if (!player) {
      const root = parentElement.querySelector(`.${name}`) ?? parentElement.appendChild(document.createElement("div"));
      root.className = name;
      if (new URLSearchParams(location.search).get("embed") === "true") root.style.setProperty("--stage-height", "calc(100vh - 16px)"); // in a slide: all of it
      player = new Player(root, () => {});
      players.set(parentElement, player);
    }
    player.send = (event) => setTriggerValue("event", event);
    if (data) player.show(data);
    // The last call's cleanup may come when newer data is shown already: what is still on the page stays.
    return () => setTimeout(() => { if (!parentElement.isConnected && players.delete(parentElement)) player.destroy(); });
  };
}
