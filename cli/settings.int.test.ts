import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultSetting, readSettings, resolveSetting, saveSetting, settingKey, settingKeys } from './settings.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'clustral-settings-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const file = (): string => join(home, 'config.json');

describe('a setting', () => {
  it('is the flag, else the variable, else the saved one, else the default, and says which', async () => {
    const variable = ['CLUSTRAL_PROFILE', 'staging'] as const;
    expect(resolveSetting(home, 'profile')).toEqual({ value: 'default', source: 'default' });
    await saveSetting(home, 'profile', 'prod');
    expect(resolveSetting(home, 'profile')).toEqual({ value: 'prod', source: 'file' });
    expect(resolveSetting(home, 'profile', { variable: ['CLUSTRAL_PROFILE', ''] }).source).toBe('file');
    expect(resolveSetting(home, 'profile', { variable })).toEqual({
      value: 'staging',
      source: 'environment',
      from: 'CLUSTRAL_PROFILE',
    });
    expect(resolveSetting(home, 'profile', { flag: 'dev', variable })).toEqual({
      value: 'dev',
      source: 'flag',
      from: '--profile',
    });
  });

  it.each([
    ['profile', '../../x'],
    ['profile', ''],
    ['output', 'xml'],
    ['timeout', 'soon'],
    ['timeout', ''],
    ['timeout', '-5s'],
    ['context-name', 'clustral'],
    ['context-name', '{cluster} x'],
    ['context-name', '{cluster}-{user}'],
    ['auto-login', 'yes'],
  ] as const)('%s cannot be %j', async (key, value) => {
    await expect(saveSetting(home, key, value)).rejects.toThrow(`cannot be the setting ${key}: it must be`);
    expect(readSettings(home)).toEqual({});
  });

  it.each([
    ['profile', 'staging'],
    ['output', 'json'],
    ['timeout', '1m30s'],
    ['context-name', '{profile}/{cluster}'],
    ['auto-login', 'never'],
  ] as const)('%s can be %j, and all others stay', async (key, value) => {
    const others = settingKeys.filter((one) => one !== key);
    for (const other of others) await saveSetting(home, other, defaultSetting(other).value);
    await saveSetting(home, key, value);
    expect(resolveSetting(home, key)).toEqual({ value, source: 'file' });
    for (const other of others) expect(resolveSetting(home, other).value).toBe(defaultSetting(other).value);
  });

  it('is forgotten without touching what a newer version wrote beside it', async () => {
    writeFileSync(file(), JSON.stringify({ currentProfile: 'prod', ofTomorrow: [1] }));
    await saveSetting(home, 'profile', undefined);
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ ofTomorrow: [1] });
  });

  it('is kept when several are saved at once', async () => {
    await Promise.all([
      saveSetting(home, 'output', 'wide'),
      saveSetting(home, 'timeout', '1m'),
      saveSetting(home, 'auto-login', 'never'),
    ]);
    expect(readSettings(home)).toEqual({ output: 'wide', timeout: '1m', autoLogin: 'never' });
  });

  it('is unknown by another name', () => {
    expect(() => settingKey('__proto__')).toThrow("there is no setting '__proto__'");
  });
});

describe('the file of settings', () => {
  it('is private, and never read or written through a link (ID-12)', async () => {
    await saveSetting(home, 'output', 'wide');
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const elsewhere = join(home, 'elsewhere');
    writeFileSync(elsewhere, '{}');
    rmSync(file());
    symlinkSync(elsewhere, file());
    expect(() => readSettings(home)).toThrow('is a symbolic link');
    await expect(saveSetting(home, 'output', 'json')).rejects.toThrow('is a symbolic link');
    expect(readFileSync(elsewhere, 'utf8')).toBe('{}');
  });

  it.each(['{', '[]', 'null', '{"output":"xml"}', '{"currentProfile":1}', '{"currentProfile":"../../x"}'])(
    'is damaged: %s',
    (text) => {
      writeFileSync(file(), text);
      expect(() => readSettings(home)).toThrow('is damaged');
    },
  );
});
