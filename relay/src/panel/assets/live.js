// Moments: the page tells them in UTC, which their titles keep; the reader's own zone is known only here.
const CLOCK = new Intl.DateTimeFormat("en", {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});
const FORMS = {
  moment: (at) => `${at.day} ${at.month} ${at.year}, ${at.hour}:${at.minute}`,
  date: (at) => `${at.day} ${at.month} ${at.year}`,
  day: (at) => `${at.day} ${at.month}`,
};

function tellMoments(within) {
  for (const moment of within.querySelectorAll("time[data-form]")) {
    const parts = CLOCK.formatToParts(new Date(moment.dateTime)).map((part) => [part.type, part.value]);
    moment.textContent = FORMS[moment.dataset.form](Object.fromEntries(parts));
  }
}
tellMoments(document);

// What a page says of itself that holds only where this script runs, or only where it does not.
for (const said of document.querySelectorAll("[data-scripted], [data-unscripted]")) {
  said.hidden = "unscripted" in said.dataset;
}

// What is shown once: a button that copies what stands before it, where the browser knows how. Where it is not allowed
// to after all, the text is selected for whoever copies it by hand.
for (const button of navigator.clipboard ? document.querySelectorAll("button.copy") : []) {
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const secret = button.previousElementSibling;
    try {
      await navigator.clipboard.writeText(secret.textContent);
      button.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(secret);
      button.textContent = button.dataset.refused;
    }
  });
}

// Whoever has sent a form is on the way to another page, and is not called back.
let leaving = false;
window.addEventListener("submit", () => { leaving = true; });
window.addEventListener("pageshow", () => { leaving = false; });

// Live progress: an element with data-watch listens to server-sent events from there. It shows what they
// say, and when the last has come the page is loaded anew, or the one in data-then. Whoever listens to the page is told
// of the beginning and of the end only, and has a moment to hear of the end.
const HEARD = 1000;
for (const element of document.querySelectorAll("[data-watch]")) {
  const source = new EventSource(element.dataset.watch);
  const text = element.querySelector("[data-text]");
  const bar = element.querySelector("progress");
  const said = element.querySelector("[data-begun]");
  source.addEventListener("progress", () => { if (said) said.textContent = said.dataset.begun; }, { once: true });
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
    if (said) said.textContent = said.dataset.ended;
    const goOn = () => { if (!leaving) window.location.assign(element.dataset.then || window.location.href); };
    setTimeout(goOn, said ? HEARD : 0);
  });
  window.addEventListener("pagehide", () => source.close());
}

// A live list: an element with data-live is sent its content anew from there when it has changed. What is new is
// lit up for a moment and said to whoever listens; who was on a link or had scrolled aside stays there.
for (const list of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(list.dataset.live);
  source.addEventListener("list", (event) => renew(list, JSON.parse(event.data)));
  window.addEventListener("pagehide", () => source.close());
}

function renew(list, html) {
  const rows = () => [...list.querySelectorAll("[data-key]")];
  const known = new Set(rows().map((row) => row.dataset.key));
  const link = list.contains(document.activeElement) && document.activeElement.getAttribute("href");
  const aside = list.querySelector(".scroll")?.scrollLeft;
  list.innerHTML = html;
  tellMoments(list);
  if (aside) list.querySelector(".scroll")?.scrollTo({ left: aside });
  if (link) list.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
  const fresh = rows().filter((row) => !known.has(row.dataset.key));
  for (const row of fresh) row.classList.add("fresh");
  const said = document.querySelector(`[data-said="${list.id}"]`);
  if (said) said.textContent = fresh.length ? `${fresh.length} new in the list.` : "The list has changed.";
}
