// Live progress: an element with data-watch listens to server-sent events from there. It says what they
// say, and when the last has come the page is loaded anew, or the one in data-then.
for (const element of document.querySelectorAll("[data-watch]")) {
  const source = new EventSource(element.dataset.watch);
  const text = element.querySelector("[data-text]");
  const bar = element.querySelector("progress");
  source.addEventListener("progress", (event) => {
    const told = JSON.parse(event.data);
    if (text) text.textContent = told.text;
    if (bar && told.total) {
      bar.max = told.total;
      bar.value = told.seen;
    }
  });
  source.addEventListener("done", () => {
    source.close();
    window.location.assign(element.dataset.then || window.location.href);
  });
  window.addEventListener("pagehide", () => source.close());
}
