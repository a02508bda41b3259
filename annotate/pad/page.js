// The view's place in the page that Gradio lays out: how high it may be, and when it is seen.

// onSeen() is called when the view is shown that was hidden, say on another tab of the page.
export function makePlace(root, element, signal, onSeen = () => {}) {
  let seen = false;

  function fit() {
    // The view takes what the window leaves, so that it stands on one screen without scrolling.
    const visible = root.offsetParent !== null;
    if (visible && !seen) onSeen();
    seen = visible;
    if (!visible) return;
    let below = 0;
    for (let at = root.parentElement; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      below += parseFloat(style.paddingBottom) + parseFloat(style.borderBottomWidth) + parseFloat(style.marginBottom);
    }
    const top = root.getBoundingClientRect().top + window.scrollY;
    root.style.setProperty("--pad-height", Math.floor(window.innerHeight - top - below) + "px");
  }

  // Gradio's "hidden" would keep image and buttons from staying in sight on a phone; "clip" cuts off just the same.
  const page = root.closest(".gradio-container");
  if (page) page.style.overflow = "clip";
  window.addEventListener("resize", fit, { signal });
  new ResizeObserver(fit).observe(element);
  return { fit };
}
