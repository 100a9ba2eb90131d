// The box that follows the pointer.

function placeTooltip(clientX, clientY) {
  const tip = byId('tooltip'),
    box = tip.getBoundingClientRect(),
    gap = 14;
  const x = clientX + gap + box.width > innerWidth - 4 ? clientX - gap - box.width : clientX + gap;
  const y = clientY + gap + box.height > innerHeight - 4 ? clientY - gap - box.height : clientY + gap;
  tip.style.left = clamp(x, 4, Math.max(4, innerWidth - box.width - 4)) + 'px';
  tip.style.top = clamp(y, 4, Math.max(4, innerHeight - box.height - 4)) + 'px';
}

function showTooltip(clientX, clientY, ...content) {
  const tip = byId('tooltip');
  tip.replaceChildren(...content.flat().filter(Boolean));
  tip.hidden = false;
  placeTooltip(clientX, clientY);
}

const hideTooltip = () => {
  byId('tooltip').hidden = true;
};

function withTooltip(node, content) {
  node.onpointermove = (event) => showTooltip(event.clientX, event.clientY, content());
  node.onpointerleave = hideTooltip;
}
