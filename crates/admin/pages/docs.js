"use strict";
// Swagger UI over the document beside it. Who is signed in to the console is signed in here: writes bring his token along.
const here = new URL(".", document.currentScript.src);
window.ui = SwaggerUIBundle({
  url: new URL("../openapi.json", here).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  // No other host is told what the document says.
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  requestInterceptor: (request) => {
    const token = sessionStorage.getItem("quartermaster.csrf");
    if (token && new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRF-Token"] = token;
    }
    return request;
  },
});
