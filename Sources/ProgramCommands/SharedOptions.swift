public import ArgumentParser
public import HostProcess
package import Monitoring

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

/// An age on the command line: a number with `s`, `m`, `h` or `d`.
package struct Age: ExpressibleByArgument {
    package let seconds: Int

    package init(seconds: Int) { self.seconds = seconds }

    /// The age in the shortest form of the same kind.
    package var defaultValueDescription: String { seconds % 60 == 0 ? "\(seconds / 60)m" : "\(seconds)s" }

    package init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let number = Int(argument.dropLast()), number >= 0,
            case (let seconds, false) = number.multipliedReportingOverflow(by: unit)
        else { return nil }
        self.seconds = seconds
    }
}

extension LogFormat: ExpressibleByArgument {}

/// The form of what a program logs.
package struct LogOption: ParsableArguments {
    @Option(
        name: .customLong("log-format"),
        help: "text, json or journal, whatever standard error is (else what fits it).")
    package var format: LogFormat?

    package init() {}
}

/// The places where a program shows its metrics.
package struct MetricsOptions: ParsableArguments {
    @Option(help: "Write metrics to this file every 10 s, for the node exporter's text collector.")
    package var metricsFile: String?
    @Option(help: "Answer for metrics on this address of the loopback, such as 127.0.0.1:9465.")
    package var metricsListen: String?

    package var outlets: MetricsOutlets { MetricsOutlets(file: metricsFile, address: metricsListen) }

    package init() {}
}

/// The form of a status.
package struct StatusFormatOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print JSON instead of text.") package var isJSON = false
    @Flag(help: "Print one line for Nagios and Icinga, with performance data.") package var nagios = false

    package init() {}

    /// Prints `report` to standard output.
    /// - Parameter name: The name of the check in the line for Nagios.
    /// - Returns: The exit status: 0, 1 or 2.
    /// - Throws: ``ProgramError`` if a value has no form in JSON.
    package func print<Facts>(_ report: StatusReport<Facts>, called name: String) throws(ProgramError) -> ExitStatus {
        guard nagios else { return try report.printed(asJSON: isJSON) }
        Console.write(report.pluginLine(name))
        return report.status
    }
}

/// The limits of a status.
package struct StatusLimitOptions: ParsableArguments {
    @Option(help: "How long a message may wait to be taken: 90s, 5m, 2h.") package var maxAge = Age(seconds: 300)
    @Option(help: "How long ago a process must have run where no daemon does.") package var maxIdle = Age(seconds: 600)
    @Option(help: "The MiB of the file system that should be free (else a tenth of it, at most 1024).")
    package var minFree: Int?

    package init() {}
}
