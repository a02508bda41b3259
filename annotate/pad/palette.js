// The main colours of an image: the commonest ones of a coarse histogram that differ clearly from one another.

const SIDE = 96; // the image is looked at this small
const COLOURS = 7;
const APART = 48; // in RGB, between two that are told apart

export function palette(image) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  brush.drawImage(image, 0, 0, SIDE, SIDE);
  const { data } = brush.getImageData(0, 0, SIDE, SIDE);
  const bins = new Map();
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 128) continue;
    const rgb = [data[at], data[at + 1], data[at + 2]];
    const name = rgb.map((value) => value >> 4).join();
    const bin = bins.get(name) || { count: 0, sum: [0, 0, 0] };
    bin.count += 1;
    bin.sum = bin.sum.map((total, channel) => total + rgb[channel]);
    bins.set(name, bin);
  }
  const found = [];
  for (const { count, sum } of [...bins.values()].sort((a, b) => b.count - a.count)) {
    const rgb = sum.map((total) => total / count);
    const near = found.find((other) => Math.hypot(...rgb.map((value, channel) => value - other.rgb[channel])) < APART);
    if (near) near.count += count;
    else if (found.length < COLOURS) found.push({ rgb, count });
  }
  const all = found.reduce((total, { count }) => total + count, 0);
  const hex = (value) => Math.round(value).toString(16).padStart(2, "0");
  return found.map(({ rgb, count }) => ({ colour: "#" + rgb.map(hex).join(""), share: count / all }));
}
