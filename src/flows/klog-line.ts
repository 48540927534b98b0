import type { PacketLine } from "./kube-network-policies.ts";

/**
 * A line of the text that kube-network-policies logs (facts: denied-flows §4): its head in klog's form, and below it lines of the
 * packet, of which one has its id again. A line of either that says nothing (other messages, the packet's bytes) is `{}`;
 * undefined where it is no such line. The head has no year: it is the one that brings it next to `atMs`.
 */
export function packetLineOf(line: string, atMs: number): PacketLine | undefined {
  const packet = packetShape.exec(line)?.groups;
  if (packet !== undefined) return { id: packet["id"], packet };
  const head = headShape.exec(line)?.groups;
  if (head === undefined) return isOfPacket.test(line) ? {} : undefined;
  const { month, day, time, message = "" } = head;
  const said = saidShape.exec(message)?.groups;
  if (said === undefined) return {};
  return {
    ...attributesOf(said["attributes"] ?? ""),
    msg: said["msg"],
    ts: momentOf(`${month}-${day}T${time}Z`, atMs),
  };
}

/** `	[9] 10.0.1.3:40243 10.0.2.2:8080 TCP` */
const packetShape =
  /^\s{0,8}\[(?<id>\d{1,15})\] \[?(?<SrcIP>[\da-fA-F.:]{2,45}?)\]?:(?<SrcPort>\d{1,5}) \[?(?<DstIP>[\da-fA-F.:]{2,45}?)\]?:(?<DstPort>\d{1,5}) (?<Proto>\w{2,8})/;

/** `I0712 09:53:52.257809       1 logging.go:67] …` */
const headShape =
  /^[IWEF](?<month>\d\d)(?<day>\d\d) (?<time>\d\d:\d\d:\d\d\.\d{1,6}) {1,8}\d{1,10} [\w.-]{1,60}:\d{1,6}\] (?<message>.*)$/;

const saidShape = /^"(?<msg>[^"]{1,80})"(?<attributes>.*)$/;

/** Its bytes, and its end. */
const isOfPacket = /^\s{1,8}(>$|[\da-f]{8} {2})/;

function attributesOf(text: string): Pick<PacketLine, "id" | "srcPod" | "dstPod"> {
  const said = new Map<string, string>();
  for (const [, name = "", quoted, bare] of text.matchAll(attribute)) said.set(name, quoted ?? bare ?? "");
  const [id, srcPod, dstPod] = ["id", "srcPod", "dstPod"].map((name) => said.get(name));
  return { id, srcPod, dstPod };
}

const attribute = / (id|srcPod|dstPod)=(?:"([^"]{0,520})"|(\d{1,15}))/g;

/** Of this year, or of the one before where that is in the future by more than a day. */
function momentOf(withoutYear: string, atMs: number): number {
  const year = new Date(atMs).getUTCFullYear();
  const ms = Date.parse(`${year}-${withoutYear}`);
  return ms > atMs + dayMs ? Date.parse(`${year - 1}-${withoutYear}`) : ms;
}

const dayMs = 86_400_000;
