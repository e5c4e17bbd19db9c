import Glibc
import KernelRelay

exit(await Relayd.run(Array(CommandLine.arguments.dropFirst())))
