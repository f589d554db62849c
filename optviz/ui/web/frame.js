// The frame in the browser: the URL follows the spec, Back and Forward call it back; the switches of language and theme.
const OURS = /^(lang|embed|embed_options)=/;
const EMBEDDING = /^(embed|embed_options)=/;
const THEME = "optviz-theme";
let here = null; // the page whose spec the URL shows: {path, pushes, back, element}
let backs = 0; // how often the browser went back or forward; Python says in an answer which of them it has heard of

// ---- the URL: Streamlit's own way to write it makes an entry in the history at every change, this one replaces the entry
function write(query, chosen, push) {
  const parts = location.search.slice(1).split("&");
  const own = query ?? parts.filter((part) => !OURS.test(part)).join("&");
  const kept = parts.filter((part) => EMBEDDING.test(part));
  const search = [own, ...kept, chosen && "lang=" + chosen].filter(Boolean).join("&");
  const url = location.pathname + (search && "?" + search) + location.hash;
  if (url !== location.pathname + location.search + location.hash) history[push ? "pushState" : "replaceState"](history.state, "", url);
}

function follow({ query, pushes, chosen, backs: heard }, trigger, element) {
  const push = here?.path === location.pathname && pushes > here.pushes;
  here = { path: location.pathname, pushes, back: () => trigger("back", backs), element };
  if (heard >= backs) write(query, chosen, push); // else the answer to something older than the last Back
}

window.addEventListener("popstate", () => {
  if (here?.path !== location.pathname) return; // another page's URL: Streamlit goes there by itself
  backs += 1;
  here.back();
});

// ---- the theme: the system's until somebody flips it; Streamlit asks matchMedia, and asks anew after printing
const system = window.matchMedia.bind(window);
const dark = "(prefers-color-scheme: dark)";
const isDark = () => (localStorage.getItem(THEME) ?? (system(dark).matches ? "dark" : "light")) === "dark";

function answer(query) {
  const list = system(query);
  if (!query.includes("prefers-color-scheme")) return list;
  const matches = query.includes("dark") === isDark();
  return new Proxy(list, { get: (of, name) => name === "matches" ? matches : typeof of[name] === "function" ? of[name].bind(of) : of[name] });
}

function flip() {
  const wanted = isDark() ? "light" : "dark";
  if ((wanted === "dark") === system(dark).matches) localStorage.removeItem(THEME);
  else localStorage.setItem(THEME, wanted);
  dress();
}

function dress() {
  window.matchMedia = answer;
  window.dispatchEvent(new Event("afterprint"));
}

// ---- the switches
function switches(parent, { languages, language, chosen, texts }, choose) {
  document.documentElement.lang = language;
  const skip = document.querySelector('[data-testid="stSkipToContent"]');
  if (skip) skip.firstChild.nodeValue = texts.skip; // Streamlit's own speaks English only
  write(null, chosen, false); // a page without a spec of its own keeps the language, too
  let box = parent.querySelector(".optviz-switches");
  if (!box) {
    box = parent.appendChild(document.createElement("div"));
    box.className = "optviz-switches";
    dress();
  }
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  const button = (name, text, label, press, pressed) => {
    const b = document.createElement("button");
    Object.assign(b, { type: "button", textContent: text, title: label, onclick: press });
    b.dataset.name = name;
    b.setAttribute("aria-label", label);
    if (pressed !== undefined) b.setAttribute("aria-pressed", pressed);
    return b;
  };
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", texts.language);
  group.append(...Object.entries(languages).map(([key, name]) => {
    const b = button(key, key.toUpperCase(), name, () => choose(key), key === language);
    b.lang = key;
    return b;
  }));
  box.replaceChildren(group, button("theme", "◐", texts.theme, flip));
  if (focused) box.querySelector(`[data-name="${focused}"]`)?.focus();
}

window.addEventListener("storage", (event) => event.key === THEME && dress()); // flipped in another tab

// ---- the folds of controls.py: a button of Streamlit's cannot say by itself whether what it heads is shown
function unfolded() {
  for (const fold of document.querySelectorAll('[class*="st-key-fold-"]')) {
    fold.querySelector("button")?.setAttribute("aria-expanded", fold.querySelector('[class*="st-key-under-"]') !== null);
  }
}

new MutationObserver(unfolded).observe(document.body, { childList: true, subtree: true });
unfolded();

export default function ({ data, parentElement, setTriggerValue }) {
  if (data.query === undefined) switches(parentElement, data, (key) => setTriggerValue("language", key));
  else follow(data, setTriggerValue, parentElement);
  return () => setTimeout(() => { // Streamlit calls this, too, where newer data came; only what has left the page cannot answer
    if (here?.element === parentElement && !parentElement.isConnected) here = null;
  });
}
