/** The version of this command line tool, semver. */
export const version = '0.1.0';
