// What front ends write by the types of the shop: tsc takes the right uses, and each wrong one must be an error.
import type { CategoryCreate, LineCreate, Order, OrderCreate, OrderPage, OrderUpdate, Problem, Product, ProductUpdate } from "./types";

const order: OrderCreate = {
  shipTo: { name: "Anna", street: "Main Street 1", city: "Springfield", country: "US" },
  lines: [{ product: { by: { slug: "pen" } }, quantity: 2 }, { product: "0193a000-0000-7000-8000-000000000401" }],
};
const shelf: CategoryCreate = {
  slug: "ink",
  name: "Ink",
  products: [{ slug: "blue", name: "Blue", price: "3.00", lines: [{ order: { shipTo: null, lines: [{ product: { by: { slug: "pen" } } }] } }] }],
};
const delivery: ProductUpdate = { received: { add: 12 }, price: "2.50" };
const placed: OrderUpdate = { state: "PLACED" };

function show(page: OrderPage, product: Product, problem: Problem): string {
  const totals = page.items.map((one: Order) => one.total ?? "0");
  const left: number | null | undefined = product.available;
  return `${totals.join()} ${left} ${product.stars?.toFixed(1)} ${problem.code}`;
}

// @ts-expect-error the server sets the price
const cheap: LineCreate = { order: "o", product: "p", price: "0.01" };
// @ts-expect-error there is no such state
const lost: OrderUpdate = { state: "LOST" };
// @ts-expect-error a total is computed
const total: OrderUpdate = { total: "1.00" };
// @ts-expect-error an address has a street
const nowhere: OrderCreate = { shipTo: { name: "Anna", city: "Springfield", country: "US" } };
// @ts-expect-error a product is needed
const nothing: LineCreate = { order: "o" };
// @ts-expect-error what is left is nobody's to read
const hidden = (line: import("./types").Line) => line.left;
// @ts-expect-error a total may be null
const sum: number = ({} as Order).total.length;

export { cheap, delivery, hidden, lost, nothing, nowhere, order, placed, shelf, show, sum, total };
