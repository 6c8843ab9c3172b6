// Mounts GraphiQL on this page's own address; nothing is loaded from elsewhere.
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
const fetcher = GraphiQL.createFetcher({
  url: location.pathname,
  headers: { "X-CSRFToken": token },
});
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultEditorToolsVisibility: true }),
);
