// The time a person looks at an image: from when it is shown, only while the page is visible.

export function makeClock(signal) {
  let spent = 0;
  let since = null;
  let running = false;

  const now = () => performance.now();
  document.addEventListener("visibilitychange", () => {
    if (!running) return;
    if (document.hidden && since !== null) {
      spent += now() - since;
      since = null;
    } else if (!document.hidden && since === null) {
      since = now();
    }
  }, { signal });

  return {
    reset() {
      running = false;
      since = null;
      spent = 0;
    },
    start(earlierSeconds = 0) {
      running = true;
      spent = 1000 * earlierSeconds;
      since = document.hidden ? null : now();
    },
    seconds: () => Math.round(spent + (since === null ? 0 : now() - since)) / 1000,
  };
}
