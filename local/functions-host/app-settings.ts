export type AppSettings = Readonly<Record<string, string | undefined>>;

/** `%NAME%` in a binding stands for the setting NAME. */
export const resolveExpression = (text: string, settings: AppSettings, where: string): string =>
  text.replaceAll(/%([^%\s]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined || value === '') {
      throw new Error(
        `${where} refers to %${name}%, but the setting ${name} is not set. Set it, then start again.`,
      );
    }
    return value;
  });

/** `connection` names a setting, with or without the prefix AzureWebJobs; empty means AzureWebJobsStorage. */
export const readConnection = (
  connection: string | undefined,
  settings: AppSettings,
  where: string,
): string => {
  const name = connection || 'AzureWebJobsStorage';
  const value = settings[`AzureWebJobs${name}`] || settings[name];
  if (value) return value;
  const identity = Object.keys(settings).find((key) => key.startsWith(`${name}__`));
  throw new Error(
    `${where} uses the connection "${name}", but the setting ${name} is not set. ` +
      (identity
        ? `${identity} is set, but this host connects by connection string only: set ${name} to one.`
        : `Set ${name} to a storage connection string, for example UseDevelopmentStorage=true.`),
  );
};

/** https://learn.microsoft.com/azure/azure-functions/disable-function */
export const isDisabled = (functionName: string, settings: AppSettings): boolean => {
  const value =
    settings[`AzureWebJobs.${functionName}.Disabled`] ?? settings[`AzureWebJobs__${functionName}__Disabled`];
  return value === '1' || value?.toLowerCase() === 'true';
};
