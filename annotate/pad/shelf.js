// What this browser keeps by itself, apart for each project: text by name. Without localStorage it lasts as the page does.

export function openShelf(studio) {
  const prefix = "reward-studio/" + studio + "/";
  const memory = new Map();
  return {
    put(name, value) {
      const text = JSON.stringify(value);
      try {
        localStorage.setItem(prefix + name, text);
        memory.delete(name);
      } catch { // full, or refused in a private window
        memory.set(name, text);
      }
    },
    get(name) {
      let text = memory.get(name);
      if (text === undefined) {
        try { text = localStorage.getItem(prefix + name); } catch { text = null; }
      }
      return text ? JSON.parse(text) : null;
    },
    lasts(name) { // whether it outlives the page
      return !memory.has(name);
    },
    remove(name) {
      memory.delete(name);
      try { localStorage.removeItem(prefix + name); } catch { /* then it wasn't there either */ }
    },
    names(beginning) {
      const found = new Set([...memory.keys()].filter((name) => name.startsWith(beginning)));
      try {
        for (let at = 0; at < localStorage.length; at += 1) {
          const name = localStorage.key(at);
          if (name.startsWith(prefix + beginning)) found.add(name.slice(prefix.length));
        }
      } catch { /* memory is all there is */ }
      return [...found].sort();
    },
  };
}

// Tells this page from another one of the same person: the browser, a stroke, the tab. A reload is the same page.
export function pageName(make) {
  const kept = (storage, name) => {
    try {
      if (!storage.getItem(name)) storage.setItem(name, make().slice(0, 16));
      return storage.getItem(name);
    } catch {
      return make().slice(0, 16);
    }
  };
  return kept(localStorage, "reward-studio-browser") + "/" + kept(sessionStorage, "reward-studio-tab");
}
