// Relative luminance and contrast as WCAG 2 defines them, of every text that is seen on a plain background.
const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => {
  const [r, g, b] = parts(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (parts(colour)[3] !== 0) return colour;
  }
  return "rgb(255, 255, 255)";
};
const faint = new Set();
for (const element of document.querySelectorAll("body *:not(script):not(svg *)")) {
  const texts = [...element.childNodes].filter((n) => n.nodeType === 3 && n.data.trim());
  if (!texts.length || !element.checkVisibility()) continue;
  const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) faint.add(`${element.tagName}.${element.className}: ${texts[0].data.trim()}`);
}
return [...faint];
