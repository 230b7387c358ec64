// The console's own script: passkeys, what is live, copying. Everything else is links and forms.
"use strict";

// --- Bytes as WebAuthn's JSON has them: base64url without padding.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

const read = (options) => {
  const known = (list) => list?.map((one) => ({ ...one, id: bytes(one.id) }));
  const read = { ...options, challenge: bytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: bytes(options.user.id) };
  if (options.allowCredentials) read.allowCredentials = known(options.allowCredentials);
  if (options.excludeCredentials) read.excludeCredentials = known(options.excludeCredentials);
  return read;
};

const written = (credential) => {
  const { id, type, response: given } = credential;
  const response = { clientDataJSON: base64url(given.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (given[name]) response[name] = base64url(given[name]);
  }
  if (given.getTransports) response.transports = given.getTransports();
  const { authenticatorAttachment } = credential;
  return JSON.stringify({
    id, rawId: id, type, response, clientExtensionResults: {},
    ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
  });
};

// --- Forms that a passkey signs: `data-passkey` is `get` or `create`, `data-options` what the server asks of it.
const said = async (form) => {
  // An answer is signed together with its note: RFC 8785 of what the server would write, hashed.
  const answer = JSON.parse(form.dataset.answer);
  answer.note = form.elements.note.value = form.elements.note.value.trim();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(answer))));
};

const tell = (form, sentence) => {
  const place = form.querySelector("[data-problem]");
  if (place) { place.textContent = sentence; place.hidden = false; }
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.passkey || form.elements.credential.value) return;
  event.preventDefault();
  if (!window.PublicKeyCredential) return tell(form, "This browser has no passkeys here: they need https, or the address http://localhost.");
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  button.dataset.busy = "";
  try {
    const publicKey = read(JSON.parse(form.dataset.options));
    if (form.dataset.answer) publicKey.challenge = await said(form);
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
    form.elements.credential.value = written(credential);
    form.submit();
  } catch (problem) {
    button.disabled = false;
    tell(form, problem.name === "NotAllowedError" ? "Nothing was signed: it was cancelled, or took too long." :
      problem.name === "InvalidStateError" ? "This passkey is enrolled already." : `Nothing was signed: ${problem.message}`);
  }
});

// Going back to a page must not send what was signed before once more.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.elements.credential.value = "";
    const button = form.querySelector("button[type=submit]");
    // What the server switched off stays off.
    if ("busy" in button.dataset) { button.disabled = false; delete button.dataset.busy; }
  }
});

// --- Counting down: `data-wait-seconds` is how long a form's button stays shut, so that what is asked is read first.
for (const place of document.querySelectorAll("[data-wait-seconds]")) {
  const end = Date.now() + 1000 * Number(place.dataset.waitSeconds);
  const button = place.closest("form").querySelector("button[type=submit]");
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    place.textContent = left > 0 ? `You can say yes in ${left} s: read what is asked first.` : "";
    if (left > 0) setTimeout(tick, 250);
  };
  if (!button.disabled) tick();
}

// --- Live: when something happens, what is marked is fetched anew with the page that it stands on.
const from = document.body.dataset.liveFrom;
let stream, timer;
// One look at a time, and a pause between two: an agent that never rests does not make its readers ask without end.
const PAUSE_MS = 100;
let looking = false, again = false;
const look = async () => {
  timer = undefined;
  if (looking) { again = true; return; }
  const places = [...document.querySelectorAll("[data-live][id]")];
  if (places.some((place) => place.matches(":focus-within") || place.querySelector("details[open]"))) {
    timer = setTimeout(look, 2000);
    return;
  }
  const selectOOB = places.map((place) => `#${place.id}`).join(",");
  if (!selectOOB) return;
  looking = true;
  try {
    await htmx.ajax("GET", location.pathname + location.search, { source: document.body, swap: "none", selectOOB });
  } finally {
    setTimeout(() => { looking = false; if (again) { again = false; soon(); } }, PAUSE_MS);
  }
};
const soon = () => { timer ??= setTimeout(look, 60); };
const listen = () => {
  if (document.hidden) { stream?.close(); stream = undefined; return; }
  if (stream) return;
  stream = new EventSource(from);
  stream.addEventListener("record", soon);
};
if (from && document.querySelector("[data-live][id]")) {
  // A page that nobody sees holds no connection; once seen again it catches up.
  document.addEventListener("visibilitychange", () => { listen(); if (!document.hidden) soon(); });
  listen();
}

// --- On a phone rows are cards, in which each cell says what it is.
const label = () => {
  for (const table of document.querySelectorAll("table.list, table.rows")) {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, nth) => { if (nth && names[nth] && cell.textContent) cell.dataset.label ??= names[nth]; });
    }
  }
};
label();
document.querySelector(".rail nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
document.body.addEventListener("htmx:oobAfterSwap", label);

// --- Copying, and filters that apply themselves.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy || document.getElementById(button.dataset.copyFrom).textContent);
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 1500);
});
document.addEventListener("change", (event) => {
  if (event.target.matches("form.filters select")) event.target.form.requestSubmit();
});
document.documentElement.dataset.script = "";
