// Before the first paint: the theme that was chosen, if one was. Without it the system's own applies.
try {
  const theme = localStorage.getItem('clustral.theme');
  if (theme === '"light"' || theme === '"dark"') document.documentElement.dataset.theme = JSON.parse(theme);
} catch {
  // Storage is switched off: the system's theme it is.
}
