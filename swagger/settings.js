// Swagger UI's settings: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/

// A token that the address carries, as containerd-rest token prints it: taken out of it before anything else reads it, so
// that it is in no history, and sent to nobody but this daemon.
const shown = new URLSearchParams(location.hash.slice(1)).get("token");
if (shown) history.replaceState(null, "", location.pathname + location.search);

window.ui = SwaggerUIBundle({
  onComplete: () => shown && window.ui.preauthorizeApiKey("token", shown),
  url: "../openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // Schemas are shown beside each operation; the list of all is there, folded.
  defaultModelsExpandDepth: 0,
  // The validator badge would ask another host.
  validatorUrl: "none",
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [ContainerdRest],
});

// Swagger UI looks at the address once; the guide's links change it later.
window.addEventListener("hashchange", () => window.ui.layoutActions.parseDeepLinkHash(decodeURIComponent(location.hash)));

// Swagger UI has a dark scheme, and chooses it in a layout with a bar on top, which this page has not.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();
