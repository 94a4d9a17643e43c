// Swagger UI's settings: https://swagger.io/docs/open-source-tools/swagger-ui/usage/configuration/
window.ui = SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The validator badge would ask another host.
  validatorUrl: "none",
  presets: [SwaggerUIBundle.presets.apis],
});
