// SPDX-License-Identifier: Apache-2.0
// Texts that do not stand out from their ground (WCAG 2.2, 1.4.3), with what contrast they have.
(() => {
    const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
    const light = (colour) => colour.slice(0, 3).map((c) => c / 255)
        .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
    const ground = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const colour = getComputedStyle(each).backgroundColor;
            if (colour.startsWith('rgb') && (rgb(colour)[3] ?? 1) === 1) return rgb(colour);
        }
        return rgb(getComputedStyle(document.documentElement).backgroundColor);
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
        const [one, other] = [light(rgb(getComputedStyle(element).color)), light(ground(element))];
        const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const shown = walker.currentNode.data.trim().slice(0, 40);
        if (!(contrast >= 4.5)) found.push(`${contrast.toFixed(2)} ${element.className} ${shown}`);
    }
    return found;
})()
