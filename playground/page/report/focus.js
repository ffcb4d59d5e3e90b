/** Keeps the keyboard where it is while the report is drawn anew. */

const lists = new WeakMap();

/** Says which list an element's children belong to. */
export function ofList(element, list) {
  lists.set(element, list);
}

/**
 * Draws, and leaves the focus where it was: on the same control, or on the one of the same name in
 * the same row, or else on the heading above it.
 * @param {Element} root
 * @param {() => void} draw
 */
export function keepingFocus(root, draw) {
  const active = root.getRootNode().activeElement;
  if (!active || active === root || !root.contains(active)) return draw();
  const back = wayBack(active);
  draw();
  if (root.getRootNode().activeElement === active && active.isConnected) return;
  const target = active.isConnected && active.checkVisibility() ? active : back();
  (target ?? firstHeading(root))?.focus({ preventScroll: true });
}

function firstHeading(root) {
  return [...root.querySelectorAll('.report-heading')].find((heading) => heading.checkVisibility());
}

function wayBack(active) {
  const heading = active.closest('section')?.querySelector('.report-heading');
  const element = active.closest('[data-row]');
  const list = element && lists.get(element.parentElement);
  const key = list?.keyOf(element);
  const { control } = active.dataset;
  return () => {
    const row = key !== undefined && list.row(key)?.element;
    const same =
      row && [...row.querySelectorAll('[data-control]')].find((one) => one.dataset.control === control);
    return same || (heading?.checkVisibility() ? heading : null);
  };
}
