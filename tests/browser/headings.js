// The distances of the table's headings from the edges of its scrolled box, in pixels.
(() => {
    const edges = (element) => element.getBoundingClientRect();
    const box = edges(document.querySelector('#box'));
    const corner = edges(document.querySelector('.corner'));
    const head = edges(document.querySelectorAll('#matrix thead th')[6]);
    const flag = edges(document.querySelectorAll('#matrix tbody th')[12]);
    const distances = [
        corner.left - box.left, corner.top - box.top, head.top - box.top, flag.left - box.left
    ];
    return distances.map((distance) => String(Math.round(distance)));
})()
