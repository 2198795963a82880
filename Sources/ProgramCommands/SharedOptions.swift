package import ArgumentParser

/// The place of the spool.
package struct SpoolOption: ParsableArguments {
    @Option(name: .customLong("spool"), help: "The spool (else the configuration's, else /var/spool/ses).")
    package var path: String?

    package init() {}
}

/// The permission to run as root.
package struct RootOption: ParsableArguments {
    @Flag(name: .customLong("allow-root"), help: "Run as root all the same (also SES_ALLOW_ROOT=1).")
    package var isAllowed = false

    package init() {}
}

/// The form of a report.
package struct FormatOption: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON instead of text.")
    package var isJSON = false

    package init() {}
}
