"""Rules of axe-core (https://github.com/dequelabs/axe-core) as a script, for a browser without a network.

Its value lists what breaks them: name of the rule, and the element.
"""

from __future__ import annotations

from typing import Final

AUDIT: Final = """(() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const broken = (rule, elements) => elements.map(each => [rule, each.outerHTML.slice(0, 200)]);
  const control = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const visible = each => each.getClientRects().length > 0;

  const channel = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) =>
    0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const [red, green, blue, alpha = 1] = numbers(getComputedStyle(each).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const contrast = element => {
    const style = getComputedStyle(element);
    const pair = [luminance(numbers(element.closest('svg') ? style.fill : style.color)), luminance(behind(element))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const worded = element =>
    visible(element) && [...element.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.data.trim());
  const scrolls = each => each.scrollWidth > each.clientWidth && getComputedStyle(each).overflowX === 'auto';
  const ids = all('[id]').map(each => each.id);

  return [
    ...broken('nested-interactive', all('[role=img], button').filter(each => each.querySelector(control))),
    ...broken('svg-img-alt', all('svg[role=img]').filter(each => !each.getAttribute('aria-label')?.trim())),
    ...broken('label', all('input').filter(each => ![...each.labels].some(label => label.textContent.trim()))),
    ...broken('scrollable-region-focusable', all('.wide').filter(each => scrolls(each) && each.tabIndex < 0)),
    ...broken('color-contrast', all('main *').filter(each => worded(each) && contrast(each) < 4.5)),
    ...broken('duplicate-id', all('[id]').filter(each => ids.indexOf(each.id) !== ids.lastIndexOf(each.id))),
  ];
})()"""
