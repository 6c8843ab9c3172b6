// PostGraphile as its manual has it for production: the amber preset on grafserv, several processes
// on one port. From the environment: PORT, PROCESSES, DATABASE (libpq's address), SCHEMA.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const { PORT, PROCESSES, DATABASE, SCHEMA } = process.env;

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: DATABASE, schemas: [SCHEMA] })],
  grafserv: { port: Number(PORT), graphqlPath: "/graphql", watch: false, graphiql: false },
  grafast: { explain: false },
};

if (cluster.isPrimary) {
  for (let number = 0; number < Number(PROCESSES); number += 1) cluster.fork();
  cluster.on("exit", () => process.exit(1));
  process.on("SIGTERM", () => process.exit(0));
} else {
  const server = createServer();
  await postgraphile(preset).createServ(grafserv).addTo(server);
  server.listen(Number(PORT), "127.0.0.1");
}
