/** `allow-2-vault`: told apart by the place in the list; what is no letter, digit or dash may be hostile where rules are logged. */
export function allowName(index: number, endpoint: string): string {
  return `allow-${index + 1}-${endpoint.replaceAll(/[^A-Za-z0-9-]/g, "-")}`;
}
