// Prints deployments of main.bicep as `az deployment group list` has their parameters: node records.cjs FILE...
// Each file has what was given to one deployment: name=value, or a parameter file, on a line.
const { existsSync, readFileSync } = require('node:fs');

const JSON_VALUES = ['alertRecipients', 'options', 'settings'];

const read = (path) => {
  const parameters = {};
  for (const line of readFileSync(path, 'utf8').split('\n').filter(Boolean)) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined)
      parameters[name] = { value: JSON_VALUES.includes(name) ? JSON.parse(value) : value };
    else if (line.endsWith('.json') && existsSync(line))
      Object.assign(parameters, JSON.parse(readFileSync(line, 'utf8')).parameters);
  }
  return parameters;
};

console.log(JSON.stringify(process.argv.slice(2).map(read)));
