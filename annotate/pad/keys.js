// The keyboard: digits rate and move on, x is ten, arrows fine-tune and move, Enter saves, f opens full size.

function isTextField(target) {
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return target.tagName === "INPUT" && !/^(range|button|checkbox|radio|submit|reset)$/.test(target.type);
}

function digitOf(event) {
  if (/^Numpad[0-9]$/.test(event.code)) return Number(event.code.slice(6));
  if (/^[0-9]$/.test(event.key)) return Number(event.key);
  // Keyboards on which digits need Shift, French ones for example: the key itself counts.
  if (/^Digit[0-9]$/.test(event.code) && !event.shiftKey) return Number(event.code.slice(5));
  return null;
}

function handleKey(event, pad) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const target = event.composedPath()[0];
  if (!(target instanceof Element) || isTextField(target)) return;
  if (pad.full.open) {
    if (event.key === "f" && !event.repeat) act(event, () => pad.full.close());
    return;
  }
  if (!pad.isRating()) return;
  const here = pad.root.contains(target) || target === document.body || target === document.documentElement;
  const digit = digitOf(event);
  const ten = event.key.toLowerCase() === "x" || event.code === "NumpadMultiply";
  if (digit !== null || ten) {
    // A held key would rate all five heads.
    act(event, () => event.repeat || pad.rateAndMove(ten ? 10 : digit));
  } else if (!here) {
    return; // other parts of the page keep their own arrows and Enter
  } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    act(event, () => pad.heads.nudge(event.key === "ArrowLeft" ? -pad.step : pad.step));
  } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    act(event, () => pad.heads.select(pad.heads.current + (event.key === "ArrowUp" ? -1 : 1)));
  } else if (event.key === "Enter" && target.tagName !== "BUTTON" && target.tagName !== "SUMMARY") {
    act(event, () => event.repeat || pad.save());
  } else if (event.key === "f") {
    act(event, () => event.repeat || pad.openFull());
  }
}

function act(event, action) {
  event.preventDefault();
  event.stopPropagation();
  action();
}
