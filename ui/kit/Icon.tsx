/** The icons that are used, in one size each place; all of them stand beside a word or on a labelled button, so none speaks. */
import Activity from 'lucide-solid/icons/activity';
import ArrowUpRight from 'lucide-solid/icons/arrow-up-right';
import Ban from 'lucide-solid/icons/ban';
import Bell from 'lucide-solid/icons/bell';
import Check from 'lucide-solid/icons/check';
import ChevronDown from 'lucide-solid/icons/chevron-down';
import ChevronRight from 'lucide-solid/icons/chevron-right';
import Circle from 'lucide-solid/icons/circle';
import CircleAlert from 'lucide-solid/icons/circle-alert';
import CircleCheck from 'lucide-solid/icons/circle-check';
import CircleDashed from 'lucide-solid/icons/circle-dashed';
import CircleX from 'lucide-solid/icons/circle-x';
import Clock from 'lucide-solid/icons/clock';
import Copy from 'lucide-solid/icons/copy';
import Eye from 'lucide-solid/icons/eye';
import Home from 'lucide-solid/icons/house';
import Info from 'lucide-solid/icons/info';
import Keyboard from 'lucide-solid/icons/keyboard';
import KeyRound from 'lucide-solid/icons/key-round';
import Link from 'lucide-solid/icons/link';
import Lock from 'lucide-solid/icons/lock';
import LogOut from 'lucide-solid/icons/log-out';
import Menu from 'lucide-solid/icons/menu';
import Monitor from 'lucide-solid/icons/monitor';
import Moon from 'lucide-solid/icons/moon';
import PanelLeft from 'lucide-solid/icons/panel-left';
import Pencil from 'lucide-solid/icons/pencil';
import Plus from 'lucide-solid/icons/plus';
import RefreshCw from 'lucide-solid/icons/refresh-cw';
import ScrollText from 'lucide-solid/icons/scroll-text';
import Search from 'lucide-solid/icons/search';
import Server from 'lucide-solid/icons/server';
import Settings from 'lucide-solid/icons/settings-2';
import ShieldCheck from 'lucide-solid/icons/shield-check';
import Sun from 'lucide-solid/icons/sun';
import Terminal from 'lucide-solid/icons/terminal';
import TriangleAlert from 'lucide-solid/icons/triangle-alert';
import Users from 'lucide-solid/icons/users';
import X from 'lucide-solid/icons/x';
import type { JSX } from 'solid-js';
import { Dynamic } from 'solid-js/web';

const icons = {
  activity: Activity,
  away: ArrowUpRight,
  bad: CircleX,
  ban: Ban,
  bell: Bell,
  check: Check,
  clock: Clock,
  close: X,
  copy: Copy,
  dark: Moon,
  dashed: CircleDashed,
  down: ChevronDown,
  edit: Pencil,
  error: CircleAlert,
  eye: Eye,
  home: Home,
  info: Info,
  key: KeyRound,
  keyboard: Keyboard,
  light: Sun,
  link: Link,
  lock: Lock,
  menu: Menu,
  ok: CircleCheck,
  people: Users,
  plus: Plus,
  quiet: Circle,
  rail: PanelLeft,
  refresh: RefreshCw,
  right: ChevronRight,
  role: ShieldCheck,
  scroll: ScrollText,
  search: Search,
  server: Server,
  settings: Settings,
  signOut: LogOut,
  system: Monitor,
  terminal: Terminal,
  warn: TriangleAlert,
} as const;

export type IconName = keyof typeof icons;

export function Icon(props: { readonly name: IconName; readonly size?: number; readonly class?: string }): JSX.Element {
  return (
    <Dynamic
      component={icons[props.name]}
      size={props.size ?? 16}
      strokeWidth={1.75}
      class={`shrink-0 ${props.class ?? ''}`}
      aria-hidden="true"
    />
  );
}
