// The number of visible texts, followed by a description of each text whose contrast to its
// background is less than 4.5 (WCAG 2, level AA).
(() => {
    const numbers = (color) => color.match(/[\d.]+/g).map(Number);
    const background = (element) => {
        for (; element; element = element.parentElement) {
            const [r, g, b, a = 1] = numbers(getComputedStyle(element).backgroundColor);
            if (a === 1) return [r, g, b];
        }
        return null;
    };
    const linear = (part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const luminance = (color) => {
        const [r, g, b] = color.slice(0, 3).map((part) => linear(part / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const hasText = (element) =>
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const found = [];
    let count = 0;
    for (const element of document.querySelectorAll('body *')) {
        if (!element.offsetParent || !hasText(element)) continue;
        count += 1;
        const behind = background(element);
        if (!behind) {
            found.push(element.outerHTML.slice(0, 80) + ' has no background');
            continue;
        }
        const colors = [numbers(getComputedStyle(element).color), behind];
        const [lighter, darker] = colors.map(luminance).sort((a, b) => b - a);
        const contrast = (lighter + 0.05) / (darker + 0.05);
        if (contrast < 4.5) {
            const text = element.textContent.slice(0, 40);
            found.push(`${element.tagName}.${element.className} ${text} ${contrast.toFixed(2)}`);
        }
    }
    return [String(count), ...found];
})()
