// htm's own declarations are those of a CommonJS module; this is the part the page uses.
declare const htm: {
  bind<Node>(
    h: (type: any, props: any, ...children: any[]) => Node,
  ): (strings: TemplateStringsArray, ...values: any[]) => any;
};
export default htm;
