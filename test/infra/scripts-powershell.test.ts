import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../infra/scripts/limit-mailboxes.ps1');
const text = readFileSync(SCRIPT, 'utf8');
const hasPwsh = spawnSync('pwsh', ['-NoProfile', '-Command', 'exit 0']).status === 0;

test.skipIf(!hasPwsh)(
  `PowerShell reads the script without an error${hasPwsh ? '' : ' (skipped: pwsh is not installed)'}`,
  () => {
    const command =
      '$errors = $null; [void][System.Management.Automation.Language.Parser]::ParseFile($env:SCRIPT, [ref]$null, [ref]$errors); $errors | ForEach-Object { $_.ToString() }';
    const said = execFileSync('pwsh', ['-NoProfile', '-NonInteractive', '-Command', command], {
      encoding: 'utf8',
      env: { ...process.env, SCRIPT },
    });
    expect(said).toBe('');
  },
);

describe('the script that limits the mailboxes', () => {
  const lines = text.split('\n');

  test('asks -WhatIf before every change', () => {
    const changes = [
      ...text.matchAll(
        /^.*\b(?:New|Set|Add|Remove)-(?:DistributionGroup|ManagementScope|ManagementRole|ServicePrincipal)\w* -.*$/gm,
      ),
      ...text.matchAll(/^.*Invoke-MgGraphRequest -Method (?:DELETE|POST|PATCH).*$/gm),
    ].filter(([line]) => !/^\s*['"#]/.test(line));
    expect(changes.length).toBeGreaterThanOrEqual(9);
    for (const [change] of changes) {
      const at = lines.indexOf(change);
      expect(lines.slice(Math.max(0, at - 3), at).join('\n'), change).toContain('ShouldProcess');
    }
  });

  test('tests that named mailboxes are in scope and that another one is not', () => {
    expect(text).toContain('Test-Mailbox $sender.PrimarySmtpAddress $permission $true');
    expect(text).toContain('Test-Mailbox $outside.PrimarySmtpAddress $permission $false');
  });

  test('explains each of its parameters', () => {
    const parameters = [
      ...(/param\(([\s\S]*?)\n\)/.exec(text)?.[1] ?? '').matchAll(/\$([A-Z]\w+)[ ,\n=]/g),
    ].map(([, name]) => name);
    const explained = [...text.matchAll(/^\.PARAMETER (\w+)$/gm)].map(([, name]) => name);
    expect([...new Set(parameters)].sort()).toEqual(explained.sort());
  });
});
