// What Swagger UI lacks for this API: https://swagger.io/docs/open-source-tools/swagger-ui/customization/plugin-api/
const ContainerdRest = () => ({
  components: {
    // There is one server: where this page came from.
    ServersContainer: () => null,
  },
  wrapComponents: {
    // The contract's own words are long, and the operations are what a visitor came for.
    InfoContainer: (Original, { React }) => (props) =>
      React.createElement("details", { className: "about" },
        React.createElement("summary", null, "About this API: the order of requests, repeating one, errors"),
        React.createElement(Original, props)),
    // Lines of JSON are no JSON, and Swagger UI says so of them; text it shows as it is.
    responseBody: (Original, { React }) => (props) =>
      React.createElement(Original, /ndjson/.test(props.contentType) ? { ...props, contentType: "text/plain" } : props),
  },
  statePlugins: {
    spec: {
      wrapActions: {
        // Of OpenAPI 3.1 Swagger UI loses the parameters that a path has for all its operations, at times
        // (github.com/swagger-api/swagger-ui/issues/8971).
        updateJsonSpec: (original) => (contract) => original(withParameters(contract)),
        // No example knows a pid, so the process that was added last is filled in where one is asked for.
        setResponse: (original, system) => (path, method, response) => {
          const result = original(path, method, response);
          if (response.ok && method === "put" && /\/process(es)?$/.test(path)) fillIn(system, String(response.obj.pid));
          return result;
        },
      },
    },
  },
});

// Each operation with its path's parameters, in front of its own.
function withParameters(contract) {
  const inherit = ({ parameters = [], ...operations }) => Object.fromEntries(Object.entries(operations).map(
    ([method, operation]) => [method, { ...operation, parameters: [...parameters, ...(operation.parameters ?? [])] }]));
  const paths = Object.entries(contract.paths ?? {}).map(([path, item]) => [path, inherit(item)]);
  return { ...contract, paths: Object.fromEntries(paths) };
}

function fillIn({ specActions, specSelectors }, pid) {
  specSelectors.paths().forEach((operations, path) => {
    if (!path.includes("{pid}")) return;
    operations.keySeq().forEach((method) => {
      // An operation that was never opened knows its parameters by name alone, an opened one by what they are.
      specActions.changeParam([path, method], "pid", "path", pid, false);
      const known = specSelectors.specJsonWithResolvedSubtrees().getIn(["paths", path, method, "parameters"]);
      const parameter = known && known.find((one) => one.get("name") === "pid");
      if (parameter) specActions.changeParamByIdentity([path, method], parameter, pid, false);
    });
  });
}
