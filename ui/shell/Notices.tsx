/** Messages at the foot of the page, and the live region that speaks them. */
import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../data/app.ts';
import { IconButton, TextLink } from '../kit/Button.tsx';
import { Icon, type IconName } from '../kit/Icon.tsx';
import { Untrusted } from '../kit/Text.tsx';
import type { Tone } from '../text/words.ts';

const icons: Readonly<Record<Tone, IconName>> = { ok: 'ok', warn: 'warn', bad: 'error', info: 'info', quiet: 'info' };
const colours: Readonly<Record<Tone, string>> = {
  ok: 'text-ok',
  warn: 'text-warn',
  bad: 'text-bad',
  info: 'text-info',
  quiet: 'text-soft',
};

export function NoticeStack(): JSX.Element {
  const { notices } = useApp();
  return (
    <>
      <div role="status" aria-live="polite" class="sr-only">
        {notices.spoken()}
      </div>
      <div
        role="log"
        aria-label="Messages"
        class="pointer-events-none fixed right-4 bottom-4 z-50 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2"
      >
        <For each={notices.onScreen()}>
          {(notice) => (
            <div class="pointer-events-auto flex animate-in items-start gap-2.5 rounded-lg bg-raised p-3 text-sm shadow-pop forced-border">
              <Icon name={icons[notice.tone]} size={16} class={`mt-0.5 ${colours[notice.tone]}`} />
              <span class="min-w-0 flex-1 [overflow-wrap:anywhere]">
                <Untrusted text={notice.text} />
                <Show when={notice.href}>
                  {(href) => (
                    <>
                      {' '}
                      <TextLink href={href()}>Open</TextLink>
                    </>
                  )}
                </Show>
              </span>
              <IconButton
                class="-my-1 -mr-1"
                size="sm"
                icon="close"
                label="Dismiss"
                onClick={() => notices.dismiss(notice.id)}
              />
            </div>
          )}
        </For>
      </div>
    </>
  );
}
