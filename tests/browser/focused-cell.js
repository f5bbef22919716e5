// The kernel and the flag of the table cell that has the focus.
(() => {
    const cell = document.activeElement.closest('td');
    const head = document.querySelectorAll('#matrix thead th')[cell.cellIndex];
    const parts = [...head.querySelectorAll('.family, .series')].map((it) => it.textContent);
    return [parts.join('-'), cell.parentElement.querySelector('code').textContent];
})()
