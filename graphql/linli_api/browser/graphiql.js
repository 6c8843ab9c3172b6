// GraphiQL with the Explorer, bundled by `make assets` into build/assets/graphiql. All it loads is
// ours: the editor's workers lie beside this file.
import { explorerPlugin } from "@graphiql/plugin-explorer";
import "@graphiql/plugin-explorer/style.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import "./graphiql.css";

globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    const name = ["graphql", "json"].includes(label) ? label : "editor";
    return new Worker(new URL(`./${name}.worker.js`, import.meta.url), { type: "module" });
  },
};

const page = document.getElementById("graphiql");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
// The reference's examples come in the address, behind the #, which no server sees.
const example = new URLSearchParams(location.hash.slice(1));
const explorer = explorerPlugin({ showAttribution: false });

createRoot(page).render(
  createElement(
    GraphiQL,
    {
      fetcher: createGraphiQLFetcher({
        url: location.pathname,
        headers: { "X-CSRFToken": token },
      }),
      plugins: [explorer],
      initialQuery: example.get("query") ?? undefined,
      initialVariables: example.get("variables") ?? undefined,
      shouldPersistHeaders: false, // office machines are shared
      showPersistHeadersSettings: false,
      defaultEditorToolsVisibility: true,
    },
    createElement(
      GraphiQL.Logo,
      null,
      createElement("a", { href: page.dataset.reference }, page.dataset.title),
    ),
  ),
);
