// An image at full size, one of its pixels on one of the screen's, over everything else.

export function makeFull(root) {
  const dialog = root.querySelector(".pad-full");
  const close = () => dialog.close();
  dialog.querySelector(".pad-close").addEventListener("click", close);
  dialog.querySelector(".pad-full-scroll").addEventListener("click", close);

  return {
    close,
    get open() { return dialog.open; },
    onClose: (listener) => dialog.addEventListener("close", listener),
    show(url, alt) {
      const image = new Image();
      image.alt = alt;
      image.src = url;
      dialog.querySelector(".pad-full-scroll").replaceChildren(image);
      if (!dialog.open) dialog.showModal();
    },
  };
}
