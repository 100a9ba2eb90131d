// Handing the reader a file.

function download(name, blob) {
  const link = el('a', {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Quoted (RFC 4180). A text that a spreadsheet would run as a formula gets an apostrophe before it.
const csvText = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? "'" : '') + text.replaceAll('"', '""')}"`;
