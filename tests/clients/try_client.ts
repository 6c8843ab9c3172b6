// An integrator's program on the generated TypeScript types and urql. Arguments: the host and a search
// word. Who asks is said by headers alone: a session's cookie and token, or later a bearer token.
import { cacheExchange, Client, fetchExchange } from "@urql/core";
import {
  CommunitiesDocument,
  DeclareIncomeAgainDocument,
  DeclareIncomeDocument,
  type DeclareIncomeInput,
  PartnerDocument,
} from "../../build/clients/typescript/tenant/graphql";

const [address, search] = process.argv.slice(2);
const client = new Client({
  url: `${address}/graphql`,
  preferGetMethod: false,
  exchanges: [cacheExchange, fetchExchange],
  fetchOptions: { headers: JSON.parse(process.env.LINLI_HEADERS!) },
});

const read = await client.query(CommunitiesDocument, { search }).toPromise();
const communities = read.data!.communities!;
console.log("read", communities.totalCount, communities.nodes[0].name);

const id: string = communities.nodes[0].partners!.nodes[0].id;
const partner = (await client.query(PartnerDocument, { id }).toPromise()).data!.partner!;
const agreement = partner.agreements!.nodes[0];
console.log("days", agreement.startsOn.slice(0, 4));

const input: DeclareIncomeInput = {
  agreementId: agreement.id,
  startsOn: "2026-01-01",
  endsOn: "2026-04-01",
  incomeFen: 10_000_000,
  sample: true,
};
const written = (await client.mutation(DeclareIncomeDocument, { input }).toPromise()).data!;
const amountFen: number = written.declareIncome.contribution!.amountFen;
console.log("written", amountFen > 0, JSON.stringify(written.declareIncome.errors));

const again = (await client.mutation(DeclareIncomeAgainDocument, { input }).toPromise()).data!;
const codes = again.declareIncome.errors.map((error) => error.code);
console.log("refused", again.declareIncome.contribution, JSON.stringify(codes));

const none = await client.query(PartnerDocument, { id: "nobody" }).toPromise();
console.log("error", JSON.stringify(none.error!.graphQLErrors.map((one) => one.extensions.code)));
