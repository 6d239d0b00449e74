window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // it would send the document's address to a foreign server
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
});
