/** How a secret may look once a tool has encoded it: base64 at each of its three offsets. */
export function encodings(value: string): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]).toString('base64');
    // The first and last digits depend on the neighbours, so only what is between them is certain.
    return text.replaceAll('=', '').slice(offset === 0 ? 0 : offset + 1, -1);
  });
}
