// The board works without this script, but for what a page in a frame cannot do alone: follow Airflow's theme, leave the
// frame, show times in the reader's zone, and open dialogs.
(() => {
  "use strict";

  const root = document.documentElement;
  const framed = (() => {
    try {
      return window.parent !== window && Boolean(window.parent.document);
    } catch {
      return false; // another site shows this page
    }
  })();

  // -- theme: Airflow keeps it in localStorage.theme, and its colours in variables of its own page

  const COLOURS = {
    "--bg": ["--chakra-colors-bg"],
    "--fg": ["--chakra-colors-fg"],
    "--fg-muted": ["--chakra-colors-fg-muted"],
    "--border": ["--chakra-colors-border-emphasized", "--chakra-colors-border"],
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  const adoptTheme = () => {
    let chosen = null;
    try {
      chosen = window.localStorage.getItem("theme");
    } catch {
      // storage is switched off
    }
    const theme = chosen === "dark" || chosen === "light" ? chosen : dark.matches ? "dark" : "light";
    root.classList.toggle("dark", theme === "dark");
    root.classList.toggle("light", theme === "light");
    if (!framed) return;
    const outer = window.parent.document.documentElement;
    const style = window.parent.getComputedStyle(outer);
    const same = outer.classList.contains(theme);
    for (const [ours, theirs] of Object.entries(COLOURS)) {
      const value = theirs.map((name) => style.getPropertyValue(name).trim()).find(Boolean);
      if (same && value) root.style.setProperty(ours, value);
      else root.style.removeProperty(ours);
    }
  };
  adoptTheme();
  window.addEventListener("storage", adoptTheme);
  dark.addEventListener("change", adoptTheme);
  if (framed) {
    new MutationObserver(adoptTheme).observe(window.parent.document.documentElement, {
      attributes: true,
      attributeFilter: ["class"],
    });
  }

  // -- leaving the frame: its sandbox forbids new tabs and other pages in the outer window, but the outer page may

  const leave = (event) => {
    const link = event.target.closest?.("a[data-leave]");
    if (!link || event.defaultPrevented || event.button > 0) return;
    if (link.protocol !== "https:" && link.protocol !== "http:") return;
    const page = framed ? window.parent.document : document;
    const anchor = page.createElement("a");
    anchor.href = link.href;
    if (link.dataset.leave === "new" || event.ctrlKey || event.metaKey || event.shiftKey) {
      anchor.target = "_blank";
      anchor.rel = "noopener noreferrer";
    }
    event.preventDefault();
    page.body.append(anchor);
    anchor.click();
    anchor.remove();
  };
  document.addEventListener("click", leave);

  // -- times in the reader's zone

  const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const localTimes = (scope) => {
    for (const time of scope.querySelectorAll("time[datetime]:not([data-local])")) {
      const date = new Date(time.dateTime);
      if (Number.isNaN(date.getTime())) continue;
      time.title = time.textContent;
      time.textContent = moment.format(date);
      time.dataset.local = "";
    }
  };

  // -- dialogs, players, and forms that send themselves when a menu changes

  const onClick = (event) => {
    const opener = event.target.closest?.("[data-dialog]");
    if (opener) {
      document.getElementById(opener.dataset.dialog)?.showModal();
      return;
    }
    if (event.target.closest?.("[data-close]")) {
      event.target.closest("dialog")?.close();
      return;
    }
    const play = event.target.closest?.("[data-play]");
    if (play) openPlayer(play);
  };

  const openPlayer = (button) => {
    const dialog = document.getElementById("player");
    const video = dialog.querySelector("video");
    dialog.querySelector("h2").textContent = button.dataset.name;
    const refused = dialog.querySelector(".hint");
    const showRefused = (yes) => {
      refused.hidden = !yes;
      video.hidden = yes;
    };
    showRefused(false);
    refused.querySelector("a").href = button.dataset.console;
    refused.querySelector("a").hidden = !button.dataset.console;
    video.onerror = () => showRefused(true);
    video.src = button.dataset.play;
    dialog.showModal();
    video.play().catch(() => {}); // the reader can press the button
    dialog.addEventListener(
      "close",
      () => {
        video.onerror = null;
        video.pause();
        video.removeAttribute("src");
        video.load();
      },
      { once: true },
    );
  };

  // Where Kaltura's public address refuses, Airflow may read the thumbnail for those who may see the run.
  const onError = (event) => {
    const image = event.target;
    if (!image.matches?.("img[data-thumbnail]")) return;
    const other = image.dataset.thumbnail;
    image.dataset.thumbnail = "";
    if (other) image.src = other;
    else image.closest(".picture")?.classList.add("missing");
  };

  // A refresh would close the player, and a press whose element is replaced is no click. So refreshes wait for both.
  let pressed = false;
  const holdRefresh = (event) => {
    const refresh = event.detail.requestConfig.verb === "get" && !event.detail.elt.closest("dialog");
    if (refresh && (pressed || document.querySelector("dialog[open]"))) event.preventDefault();
  };

  document.addEventListener("pointerdown", () => (pressed = true), true);
  document.addEventListener("pointerup", () => (pressed = false), true);
  document.addEventListener("pointercancel", () => (pressed = false), true);
  document.addEventListener("click", onClick);
  document.addEventListener("error", onError, true); // these events do not bubble
  document.addEventListener("DOMContentLoaded", () => {
    localTimes(document);
    document.body.addEventListener("htmx:afterSettle", () => localTimes(document));
    document.body.addEventListener("htmx:configRequest", (event) => {
      event.detail.headers["X-Kaltura-Board"] = "1";
    });
    document.body.addEventListener("htmx:afterRequest", (event) => {
      if (event.detail.elt.closest("dialog") && event.detail.requestConfig.verb === "post") {
        event.detail.elt.closest("dialog").close();
      }
    });
    document.body.addEventListener("htmx:beforeOnLoad", holdRefresh);
    document.body.addEventListener("htmx:beforeSwap", (event) => {
      // A refusal is a page of its own; show its text in the place for messages.
      if (event.detail.xhr.status < 400) return;
      const refused = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
      document.getElementById("message").textContent =
        refused.querySelector("main p")?.textContent || `Airflow answered ${event.detail.xhr.status}.`;
    });
  });
})();
