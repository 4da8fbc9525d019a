// Shows errors of the script on the page.

function fail(what) {
  const told = document.documentElement.dataset.failed;
  document.documentElement.dataset.failed = told ? `${told}; ${what}` : what;
  showFailure();
}

function showFailure() {
  const place = document.getElementById("failed");
  const what = document.documentElement.dataset.failed;
  if (!place || !what) return;
  place.textContent = `This page has a fault: ${what}`;
  place.hidden = false;
}

window.addEventListener("error", (event) => fail(event.message || "something did not load"), true);
window.addEventListener("unhandledrejection", (event) => fail(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => {
  fail(`${event.violatedDirective} kept out ${event.blockedURI}`);
});
document.addEventListener("DOMContentLoaded", showFailure);
